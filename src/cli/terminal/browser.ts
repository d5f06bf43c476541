import { spawn } from 'node:child_process';

/** The command that opens a URL for the person at this machine, or `null` where nobody sits before a screen. */
export function browserCommand(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | null {
  if (env.BROWSER) return env.BROWSER;
  if (platform === 'darwin') return 'open';
  if (platform === 'win32') return 'explorer.exe';
  if (env.WSL_DISTRO_NAME) return 'wslview';
  return env.DISPLAY || env.WAYLAND_DISPLAY ? 'xdg-open' : null;
}

/** @returns whether it could be started; the browser outlives this process */
export function openBrowser(command: string, url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const browser = spawn(command, [url], { detached: true, stdio: 'ignore' });
    browser.once('error', () => resolve(false));
    browser.once('spawn', () => {
      browser.unref();
      resolve(true);
    });
  });
}
