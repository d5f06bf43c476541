interface Answer {
  name?: string;
  error?: string;
  problems?: { field: string; message: string }[];
}

const form = document.querySelector<HTMLFormElement>('[data-guestbook]');
const output = form?.querySelector('output');

form?.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (output) output.textContent = await send(new FormData(form));
});

async function send(note: FormData): Promise<string> {
  try {
    const response = await fetch('/api/guestbook', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(Object.fromEntries(note)),
    });
    const answer: Answer = await response.json();
    if (response.ok) return `Thank you, ${answer.name}. It arrived in one piece.`;
    return answer.problems?.map((p) => `${p.field}: ${p.message}`).join(', ') ?? answer.error ?? '';
  } catch {
    return 'It did not get through. Try again in a moment.';
  }
}
