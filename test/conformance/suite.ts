/** The public suite for HTTP caches (https://cache-tests.fyi), as it is on npm. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { until } from '../support/until.ts';

const NAME = 'http-cache-tests';
const VERSION = '0.4.5';

/** Not among the devDependencies: it brings a whole npm 6 with it. */
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/conformance', import.meta.url));
const PACKAGE = join(FOLDER, 'node_modules', NAME);

const run = promisify(execFile);

export interface Case {
  id: string;
  name: string;
  /** `check` cases only find out how a cache behaves. */
  kind: 'required' | 'optimal' | 'check';
  dependsOn: string[];
}

/** `true`, or what was wrong. */
export type Result = true | [kind: string, message: string];

export async function installSuite(): Promise<void> {
  if (existsSync(join(PACKAGE, 'cli.mjs'))) return;
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, 'package.json'), '{ "private": true }\n');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await run('npm', ['install', ...options, `${NAME}@${VERSION}`], { cwd: FOLDER });
}

/** The cases for caches that are no browser's. Those of `Surrogate-Control`, which RFC 9213 has replaced, are not among them. */
export async function listCases(): Promise<Case[]> {
  const { default: suites } = (await import(
    pathToFileURL(join(PACKAGE, 'tests/index.mjs')).href
  )) as { default: { tests: Record<string, unknown>[] }[] };
  return suites.flatMap(({ tests }) =>
    tests
      .filter((test) => test.browser_only !== true)
      .map((test) => ({
        id: test.id as string,
        name: test.name as string,
        kind: (test.kind ?? 'required') as Case['kind'],
        dependsOn: (test.depends_on ?? []) as string[],
      })),
  );
}

/** @returns how to end it */
export async function startServer(port: number): Promise<() => Promise<void>> {
  const settings = { protocol: 'http', port: String(port), pidfile: join(FOLDER, 'server.pid') };
  const server = spawn(process.execPath, ['server/server.mjs'], {
    cwd: PACKAGE,
    env: { ...process.env, ...configured(settings) },
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  await until(
    () => fetch(`http://localhost:${port}/`).then((answer) => answer.text().then(() => true)),
    "the suite's server",
  ).catch((error) => {
    server.kill();
    throw error;
  });
  return async () => {
    server.kill();
    await ended;
  };
}

/** @param only the id of one case, which is then shown in full */
export async function runCases(origin: string, only = ''): Promise<Record<string, Result>> {
  const env = { ...process.env, ...configured({ base: origin, id: only }) };
  const options = { cwd: PACKAGE, env, maxBuffer: 2 ** 26 };
  const { stdout } = await run(process.execPath, ['--no-warnings', 'cli.mjs'], options);
  if (only !== '') {
    console.log(stdout);
    return {};
  }
  return JSON.parse(stdout);
}

/** The suite takes its settings as npm gives a package's. */
function configured(settings: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`npm_package_config_${key}`, value]),
  );
}
