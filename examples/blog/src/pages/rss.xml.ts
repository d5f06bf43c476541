import rss from '@astrojs/rss';
import type { APIRoute } from 'astro';
import { allPosts, postUrl } from '../lib/posts';
import { SITE } from '../lib/site';

export const GET: APIRoute = async ({ site, url }) => {
  const posts = await allPosts();
  return rss({
    title: SITE.title,
    description: SITE.description,
    site: site ?? url.origin,
    items: posts.map((post) => ({
      title: post.data.title,
      description: post.data.description,
      pubDate: post.data.date,
      categories: post.data.tags,
      link: postUrl(post),
    })),
  });
};
