const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/** Keeps `element` saying how many people have this page open. */
export function showReaders(element: HTMLElement): void {
  const address = `${location.origin.replace(/^http/, 'ws')}/live`;
  const page = encodeURIComponent(location.pathname);
  let retryMs = FIRST_RETRY_MS;

  function connect(): void {
    const socket = new WebSocket(`${address}?page=${page}`);

    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(data);
      if (message.type !== 'readers') return;
      retryMs = FIRST_RETRY_MS;
      element.textContent = sentence(message.count);
      element.hidden = false;
    });

    // A new release closes the socket of the old one, so this is the way to it, not an exception.
    socket.addEventListener('close', () => {
      setTimeout(connect, retryMs * (0.5 + Math.random()));
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    });
  }

  connect();
}

function sentence(count: number): string {
  return count === 1 ? '1 person reading now' : `${count} people reading now`;
}
