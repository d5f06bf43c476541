import './lib/live';
import './lib/node-response';
import { defineMiddleware } from 'astro:middleware';

// The imports are what matters: each starts to listen once, whatever is asked for first.
export const onRequest = defineMiddleware((_context, next) => next());
