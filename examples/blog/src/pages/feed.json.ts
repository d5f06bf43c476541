import type { APIRoute } from 'astro';
import { allPosts, postUrl } from '../lib/posts';
import { SITE } from '../lib/site';

/** The same feed as rss.xml, as a JSON Feed (jsonfeed.org). */
export const GET: APIRoute = async ({ site, url }) => {
  const base = site ?? url;
  const posts = await allPosts();
  const feed = {
    version: 'https://jsonfeed.org/version/1.1',
    title: SITE.title,
    description: SITE.description,
    home_page_url: new URL('/', base),
    feed_url: new URL('/feed.json', base),
    language: 'en',
    items: posts.map((post) => ({
      id: new URL(postUrl(post), base),
      url: new URL(postUrl(post), base),
      title: post.data.title,
      content_text: post.data.description,
      date_published: post.data.date,
      tags: post.data.tags,
    })),
  };
  return new Response(JSON.stringify(feed), {
    headers: { 'content-type': 'application/feed+json; charset=utf-8' },
  });
};
