import { showReaders } from './readers';

const root = document.documentElement;
const systemDark = matchMedia('(prefers-color-scheme: dark)');

document.querySelector('[data-theme-toggle]')?.addEventListener('click', () => {
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : systemDark.matches;
  const theme = dark ? 'light' : 'dark';
  root.dataset.theme = theme;
  localStorage.setItem('theme', theme);
});

const readers = document.querySelector<HTMLElement>('[data-readers]');
if (readers) showReaders(readers);
