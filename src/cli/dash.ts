import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import writeFileAtomic from 'write-file-atomic';
import type { Config } from '../config/schema.ts';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import { callController } from './client.ts';
import { browserCommand, openBrowser } from './terminal/browser.ts';

/**
 * `slots dash`: prints the dashboard's address and opens it. The token is in the fragment, which a browser
 * sends to no server.
 */
export async function dash(
  config: Config,
  paths: SitePaths,
  options: { open?: boolean },
): Promise<void> {
  await callController(paths, 'GET', '/api/health');
  const address = dashboardAddress(config, await readToken(paths));
  console.log(address);
  if (options.open === false || (!options.open && !process.stdout.isTTY)) return;
  const command = browserCommand(process.env, process.platform);
  const opened = command !== null && (await openBrowser(command, await writeDoor(paths, address)));
  if (opened || !options.open) return;
  const port = config.ports.admin;
  throw new SlotsError('NO_BROWSER', 'there is no browser to open here', {
    hint: `open the address above; on another machine after \`ssh -L ${port}:127.0.0.1:${port} <this one>\``,
  });
}

/** Where this machine's browser finds the admin port. */
export function dashboardAddress({ admin, ports }: Config, token: string): string {
  const isAnywhere = admin.host === '0.0.0.0' || admin.host === '::';
  const host = isAnywhere ? '127.0.0.1' : admin.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${ports.admin}/#token=${token}`;
}

async function readToken(paths: SitePaths): Promise<string> {
  try {
    return (await readFile(paths.adminToken, 'utf8')).trim();
  } catch (cause) {
    throw new SlotsError('NO_TOKEN', `cannot read ${paths.adminToken}`, {
      hint: 'the controller makes it at its start, for its own user to read: run this as that user',
      cause,
    });
  }
}

/**
 * A page that leads on to the address. A browser started with the address itself would show the token to
 * every user of the machine, who all see each process's arguments.
 */
async function writeDoor(paths: SitePaths, address: string): Promise<string> {
  const url = address.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  const page = `<!doctype html><meta charset="utf-8"><title>slots</title>
<meta http-equiv="refresh" content="0; url=${url}">
`;
  const door = join(paths.slots, 'dashboard.html');
  await writeFileAtomic(door, page, { mode: 0o600 });
  return pathToFileURL(door).href;
}
