import mdx from '@astrojs/mdx';
import node from '@astrojs/node';
import { defineConfig } from 'astro/config';

export default defineConfig({
  site: 'https://potting-shed.example',
  output: 'server',
  adapter: node({ mode: 'standalone' }),
  integrations: [mdx()],
  // Nobody logs in, and a session store would be a folder that two releases share.
  session: false,
  // The check refuses a POST without a content type from anywhere but a page of this origin: curl, a
  // feed reader, a test. The POST routes read no cookie and store nothing, so it would protect nothing.
  security: { checkOrigin: false },
  image: { service: { entrypoint: './src/lib/image-service.ts' } },
  markdown: { shikiConfig: { theme: 'css-variables' } },
  build: { inlineStylesheets: 'never' },
  // Small files stay files of their own, with a hash in the name, so that browsers keep them.
  vite: {
    build: {
      assetsInlineLimit: 0,
      // Astro marks each MDX file with a directive that only Astro reads; the warning is about that.
      rolldownOptions: { checks: { moduleLevelDirective: false } },
    },
  },
});
