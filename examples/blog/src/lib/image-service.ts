/**
 * Points every image at its own hashed file. Astro's services send a server-rendered page's images
 * through `/_image`, which resizes them again on each request; these are made at the size they are
 * shown at, so the static file, which browsers may keep for ever, is all there is to send.
 */
import type { ExternalImageService, ImageTransform } from 'astro';

const service: ExternalImageService = {
  getURL: ({ src }) => (typeof src === 'string' ? src : src.src),
  getHTMLAttributes: ({ src, format: _format, ...rest }) => ({
    ...size(src),
    loading: 'lazy',
    decoding: 'async',
    ...rest,
  }),
};

function size(src: ImageTransform['src']) {
  return typeof src === 'string' ? {} : { width: src.width, height: src.height };
}

export default service;
