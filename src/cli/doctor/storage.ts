import { constants } from 'node:fs';
import { access, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { indexFile, parseIndex } from '../../slots/assets-index.ts';
import { releaseDir, type SitePaths } from '../../slots/paths.ts';
import { listPartials, listReleases } from '../../slots/release.ts';
import { bytes } from '../terminal/format.ts';
import { type Check, ok, problem, warning } from './check.ts';
import type { Facts } from './facts.ts';

/** Room that a first release may need; nobody knows before there is one. */
const FIRST_RELEASE_BYTES = 512 * 1024 * 1024;

/** Others that may read the control socket may order promotions. */
const NOT_OWNER = 0o077;

const OTHERS_WRITE = 0o002;

export async function checkSlotsFolder({ paths }: Facts): Promise<Check[]> {
  const folder = await stat(paths.slots).catch(() => null);
  if (!folder) return checkNewFolder(paths);
  const user = process.getuid?.();
  const hint = `sudo chown -R ${user} ${paths.slots}, or run slots as the user who owns it`;
  for (const path of [paths.slots, paths.releases, paths.state, paths.history]) {
    if (await isDenied(path)) return [problem('slots', `${path} cannot be written`, hint)];
  }
  if (folder.mode & OTHERS_WRITE) {
    const message = `everybody may write to ${paths.slots}`;
    return [warning('slots', message, `chmod o-w ${paths.slots}`)];
  }
  return [ok('slots', `${paths.slots} can be written`)];
}

async function checkNewFolder({ root, slots }: SitePaths): Promise<Check[]> {
  if (!(await isDenied(root))) return [ok('slots', `${slots} is not there yet`)];
  const hint = 'run slots as the user who owns the site';
  return [problem('slots', `${slots} cannot be made in ${root}`, hint)];
}

/** There, and not to be written. A folder also needs its x to be gone into. */
async function isDenied(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (!found) return false;
  const need = found.isDirectory() ? constants.W_OK | constants.X_OK : constants.W_OK;
  return access(path, need).then(
    () => false,
    () => true,
  );
}

export async function checkSocket({ paths, controllerPid }: Facts): Promise<Check[]> {
  const socket = await stat(paths.controlSocket).catch(() => null);
  if (!socket) return controllerPid ? [] : [ok('socket', 'not there: no controller runs')];
  const user = process.getuid?.();
  if (user !== undefined && socket.uid !== user) {
    const hint = 'run `slots` as that user';
    return [problem('socket', `${paths.controlSocket} is of user ${socket.uid}`, hint)];
  }
  const mode = (socket.mode & 0o777).toString(8).padStart(4, '0');
  if (socket.mode & NOT_OWNER) {
    const message = `others may use ${paths.controlSocket} (${mode}), and order promotions`;
    return [problem('socket', message, `chmod 600 ${paths.controlSocket}`)];
  }
  if (controllerPid === null) {
    return [ok('socket', 'left by a controller that was killed; the next one replaces it')];
  }
  return [ok('socket', `${paths.controlSocket} (${mode})`)];
}

/** The keys decide what the server believes of a page: whoever reads them can forge it. */
export async function checkSecrets({ paths }: Facts): Promise<Check[]> {
  const file = await stat(paths.secrets).catch(() => null);
  if (!file) return [];
  const mode = (file.mode & 0o777).toString(8).padStart(4, '0');
  if (file.mode & NOT_OWNER) {
    const message = `others may read ${paths.secrets} (${mode}), and forge what pages send back`;
    const hint = `chmod 600 ${paths.secrets}; delete the file to have new keys with the next build`;
    return [problem('secrets', message, hint)];
  }
  return [ok('secrets', `${paths.secrets} (${mode})`)];
}

/** A broken archive is mended when the controller starts, and until then no tab gets anything from it. */
export async function checkAssets({ paths, config }: Facts): Promise<Check[]> {
  if (config.skew === false)
    return [ok('assets', 'nothing is kept for open tabs: "skew" is false')];
  const text = await readFile(indexFile(paths), 'utf8').catch(() => null);
  if (text === null) return [ok('assets', 'nothing is kept for open tabs yet')];
  try {
    const { files, contents } = parseIndex(text);
    const size = [...contents.values()].reduce((sum, content) => sum + content.size, 0);
    const message = `${files.size} hashed files are kept for open tabs, ${bytes(size)}`;
    return [ok('assets', message)];
  } catch {
    const hint = `pm2 restart ${config.name}-watcher: it is made anew from the kept releases`;
    return [warning('assets', `${indexFile(paths)} cannot be read`, hint)];
  }
}

/** Whether the next build fits, and the releases still to come until old ones are pruned. */
export async function checkDisk({ paths, config }: Facts): Promise<Check[]> {
  const { bavail, bsize } = await statfs(await nearestExisting(paths.slots));
  const free = bavail * bsize;
  const kept = await listReleases(paths);
  const [newest] = kept;
  const hint = 'free some space, or lower "keep"';
  if (!newest) {
    const message = `${bytes(free)} free, and how much a release takes is not known yet`;
    return [free < FIRST_RELEASE_BYTES ? warning('disk', message, hint) : ok('disk', message)];
  }
  const size = await sizeOf(releaseDir(paths, newest.id));
  const toCome = Math.max(1, config.keep + 1 - kept.length);
  const message = `${bytes(free)} free; a release takes ${bytes(size)}, ${kept.length} of at most ${config.keep} are kept`;
  if (free < size) return [problem('disk', `${message}: the next build does not fit`, hint)];
  if (free < size * toCome) return [warning('disk', `${message}: it gets full`, hint)];
  return [ok('disk', message)];
}

async function nearestExisting(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  return found ? path : nearestExisting(dirname(path));
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(({ parentPath, name }) =>
      stat(join(parentPath, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

export async function checkPartials({ paths, status, controllerPid }: Facts): Promise<Check[]> {
  const running = status?.promotion?.release;
  const left = (await listPartials(paths)).filter((id) => id !== running);
  if (left.length === 0) return [];
  const message = `${left.join(', ')}: not finished`;
  const folders = left.map((id) => `slots/releases/${id}.partial`).join(' ');
  const hint = controllerPid
    ? `rm -r ${folders}, unless \`slots build\` runs`
    : 'a build that runs or was killed; the controller removes it when it starts';
  return [warning('partials', message, hint)];
}
