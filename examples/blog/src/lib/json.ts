export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  });
}

/** A whole number from the query string, held between 0 and `max`. */
export function numberParam(url: URL, name: string, fallback: number, max: number): number {
  const text = url.searchParams.get(name);
  const value = text === null || text.trim() === '' ? Number.NaN : Math.floor(Number(text));
  return Number.isNaN(value) ? fallback : Math.min(Math.max(value, 0), max);
}
