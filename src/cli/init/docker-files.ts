import { type Change, wholeFile } from './change.ts';

interface PackageManager {
  lockFile: string;
  files: string;
  install: string;
  /** Whether the programs of packages that slots needs are in node_modules/.bin too, PM2's among them. */
  linksAll?: true;
}

const MANAGERS: PackageManager[] = [
  {
    lockFile: 'package-lock.json',
    files: 'package.json package-lock.json',
    install: 'npm ci',
    linksAll: true,
  },
  {
    lockFile: 'pnpm-lock.yaml',
    files: 'package.json pnpm-lock.yaml pnpm-workspace.yam[l]',
    install: 'corepack pnpm install --frozen-lockfile',
  },
  {
    lockFile: 'yarn.lock',
    files: 'package.json yarn.lock .yarnrc.ym[l]',
    install: 'corepack yarn install --frozen-lockfile',
  },
];

const WITHOUT_LOCK: PackageManager = {
  lockFile: '',
  files: 'package.json',
  install: 'npm install',
  linksAll: true,
};

/**
 * An image that has its first release built in, so that a container serves at once.
 *
 * @param read the text of a file of the site, or `null`
 */
export function dockerFiles(read: (path: string) => string | null): Change[] {
  const manager = MANAGERS.find(({ lockFile }) => read(lockFile) !== null) ?? WITHOUT_LOCK;
  const ignore = read('.dockerignore');
  return [
    wholeFile('Dockerfile', read('Dockerfile'), dockerfile(manager), 'an image of the site'),
    ...(manager.linksAll
      ? [wholeFile('ecosystem.config.cjs', read('ecosystem.config.cjs'), ECOSYSTEM, 'its PM2 apps')]
      : []),
    // Keep the user's own lines: they had reasons to leave these out of their image.
    ...(ignore === null
      ? [wholeFile('.dockerignore', ignore, IGNORE, 'what the image makes itself')]
      : []),
  ];
}

const ECOSYSTEM = `module.exports = require('two-slots/ecosystem').ecosystem(__dirname);\n`;

const IGNORE = ['.git', '**/node_modules', 'slots', 'Dockerfile', ''].join('\n');

const PM2_RUNTIME = '["pm2-runtime", "start", "ecosystem.config.cjs"]';
const SLOTS_UP = '["slots", "up", "--foreground"]';

function dockerfile({ files, install, linksAll }: PackageManager): string {
  return `FROM node:24-slim
ENV PM2_HOME=/home/node/.pm2 \\
    PATH=/app/node_modules/.bin:$PATH
# Builds run in the container too, so its user writes to the site's folder.
RUN install --directory --owner=node --group=node /app
USER node
WORKDIR /app
# What is installed depends on these files only: an edit elsewhere leaves this layer in the cache.
COPY --chown=node:node ${files} .npmr[c] ./
RUN ${install}
COPY --chown=node:node . .
# The container starts with this release at once, and builds only if the content it finds differs.
RUN slots build
ENV NODE_ENV=production
EXPOSE 4321
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["slots", "status"]
CMD ${linksAll ? PM2_RUNTIME : SLOTS_UP}
`;
}
