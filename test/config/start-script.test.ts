import { expect, test } from 'vitest';
import { parseStartScript } from '../../src/config/presets/start-script.ts';

const PLAIN = { nodeArgs: [], args: [], env: {}, envFiles: [], before: null };

test.each<[string, object]>([
  ['node server.js', { main: 'server.js' }],
  ['node ./bin/www', { main: './bin/www' }],
  ['node .', { main: '.' }],
  [
    'NODE_ENV=production node src/index.js',
    { main: 'src/index.js', env: { NODE_ENV: 'production' } },
  ],
  ["cross-env A='b c' node a.js", { main: 'a.js', env: { A: 'b c' } }],
  ['node --env-file=.env a.js', { main: 'a.js', envFiles: ['.env'] }],
  ['node --env-file a.env --env-file=b.env a.js', { main: 'a.js', envFiles: ['b.env', 'a.env'] }],
  ['node -r dotenv/config a.js', { main: 'a.js', envFiles: ['.env'] }],
  ['dotenv -e .env.live -- node a.js', { main: 'a.js', envFiles: ['.env.live'] }],
  ['dotenvx run -- node a.js', { main: 'a.js', envFiles: ['.env'] }],
  [
    'node --import ./instrument.mjs --max-old-space-size=512 a.js',
    { main: 'a.js', nodeArgs: ['--import', './instrument.mjs', '--max-old-space-size=512'] },
  ],
  ['node --inspect --watch a.js', { main: 'a.js' }],
  ['node a.js --port $PORT "two words"', { main: 'a.js', args: ['--port', '$PORT', 'two words'] }],
  ['exec node a.js', { main: 'a.js' }],
  ['tsx server.ts', { main: 'server.ts', nodeArgs: ['--import', 'tsx'] }],
  ['prisma migrate deploy && node a.js', { main: 'a.js', before: 'prisma migrate deploy' }],
])('the start script `%s` is read as Node and a shell would', (script, expected) => {
  expect(parseStartScript(script)).toEqual({ ...PLAIN, ...expected });
});

test.each(['bun .', 'next start', 'node', 'node -e "1"', 'node --test', 'eleventy --serve', ''])(
  'the start script `%s` is no server of Node’s',
  (script) => {
    expect(parseStartScript(script)).toBeNull();
  },
);
