import type { APIRoute } from 'astro';
import { z } from 'astro/zod';
import { json } from '../../lib/json';

const Note = z.object({
  name: z.string().trim().min(1, 'say who you are').max(60, 'at most 60 characters'),
  message: z.string().trim().min(1, 'say something').max(500, 'at most 500 characters'),
});

/** Checks a note and sends it back. Nothing is kept, so every instance gives the same answer. */
export const POST: APIRoute = async ({ request }) => {
  const body = await request.json().catch(() => undefined);
  if (body === undefined) return json({ error: 'the body is not JSON' }, 400);

  const note = Note.safeParse(body);
  if (!note.success) {
    const problems = note.error.issues.map(({ path, message }) => ({
      field: path.join('.'),
      message,
    }));
    return json({ error: 'the note is not complete', problems }, 422);
  }
  return json({ ...note.data, receivedAt: new Date().toISOString() }, 201);
};
