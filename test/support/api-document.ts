/** docs/api.md, made from what the code itself knows about its calls and metrics. */

import { STATUS_OF } from '../../src/controller/admin/error-answer.ts';
import type { Route } from '../../src/controller/admin/route.ts';
import { ROUTES } from '../../src/controller/admin/routes/index.ts';
import type { Family } from '../../src/controller/metrics/family.ts';
import { FAMILIES } from '../../src/controller/metrics/metrics.ts';
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts';
import { TRIGGERS } from '../../src/slots/trigger.ts';

const NEEDS = {
  token: 'the token',
  nothing: 'no token',
  signature: "the git host's signature",
};

export function apiDocument(): string {
  return [
    INTRODUCTION,
    '## Calls',
    '',
    '| call | does | needs |',
    '|---|---|---|',
    ...ROUTES.map(
      ({ method, url, config: { summary, needs } }) =>
        `| [\`${method} ${url}\`](#${anchor(`${method} ${url}`)}) | ${summary} | ${NEEDS[needs]} |`,
    ),
    '',
    ...ROUTES.flatMap(callSection),
    CODES,
    ...Object.entries(ERROR_CODES).map(
      ([code, meaning]) => `| \`${code}\` | ${STATUS_OF[code as ErrorCode] ?? ''} | ${meaning} |`,
    ),
    '',
    TRIGGERS_TEXT,
    ...Object.entries(TRIGGERS).map(([trigger, meaning]) => `| \`${trigger}\` | ${meaning} |`),
    '',
    METRICS,
    '| metric | type | labels | meaning |',
    '|---|---|---|---|',
    ...FAMILIES.map(metricRow),
    '',
    PROMETHEUS,
  ].join('\n');
}

function callSection(route: Route): string[] {
  const { method, url, config } = route;
  const { summary, example, produces } = config;
  const isJson = produces === undefined;
  const text = isJson ? JSON.stringify(example.answer, null, 2) : String(example.answer).trim();
  return [
    `### ${method} ${url}`,
    '',
    `${summary}.`,
    '',
    '```sh',
    curl(route),
    '```',
    '',
    isJson ? '```json' : '```',
    text,
    '```',
    '',
  ];
}

function curl({ method, url, config: { needs, example } }: Route): string {
  const query = example.query ? `?${example.query}` : '';
  const words = [
    'curl -s',
    method === 'POST' ? '-X POST' : '',
    needs === 'token' ? '-H "Authorization: Bearer $(cat slots/admin-token)"' : '',
    needs === 'signature' ? '-H "X-Hub-Signature-256: sha256=$signature"' : '',
    example.body ? `-d '${JSON.stringify(example.body)}'` : '',
    `'http://localhost:4320${url}${query}'`,
  ];
  return words.filter(Boolean).join(' ');
}

function metricRow({ name, type, labels, help }: Family): string {
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`;
}

/** As GitHub makes it from a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-');
}

const INTRODUCTION = `# Admin API

<!-- Made from the code by test/controller/admin/openapi.test.ts, which \`-u\` makes write it anew. -->

The controller answers HTTP in two places, with the same calls:

- on the control socket, \`slots/control.sock\`, for its owner only (mode 0600) and without a token. This is what the
  command line uses: \`curl --unix-socket slots/control.sock http://localhost/api/status\`
- on the admin port, 127.0.0.1:4320 (\`ports.admin\`), for the dashboard, Prometheus and scripts.

On the admin port:

- Every call under \`/api\` but \`/api/health\` needs the token that the controller has put into \`slots/admin-token\`
  (mode 0600), as \`Authorization: Bearer <token>\`. \`GET /api/events\` takes it as \`?token=\` as well, since a
  browser's \`EventSource\` cannot send a header. Delete the file and restart the watcher for a new one.
- \`Host\` must be \`localhost\`, \`127.0.0.1\`, \`[::1]\` or one of \`admin.hosts\`, and \`Origin\`, if there is one,
  the same host: a page from elsewhere in a browser on this machine gets 403, even with DNS rebinding.
- \`/metrics\` needs no token, so that Prometheus can scrape it as it is; \`Host\` is checked there too. Whoever can open
  the port can read it: it tells of traffic, releases and memory, and of no secret.
- It listens on another address only when the config says so: \`admin: { host: '10.0.0.5' }\`, or \`'0.0.0.0'\` for all.
  It speaks plain HTTP: put TLS in front of it before it leaves a network that you trust.

An answer other than 200 is \`{ "error": { "code", "message", "hint" } }\`: 400 for a call that cannot be understood, 401
without the token, 403 for a wrong \`Host\` or \`Origin\`, 404 for what does not exist, 409 for what cannot be done now
(its \`code\` says why, for instance \`NO_STANDBY\`), 413 for a body that is too large, 429 for too many calls of a
webhook. \`GET /api/openapi.json\` describes all of it by JSON Schemas.
`;

const CODES = `## Error codes

The \`code\` of every error of slots, in the API's answers and in the log. The status is that of an answer with this code,
and 409 where none is given. Many come from the command line or end a promotion, and answer no call.

| code | status | says |
|---|---|---|`;

const TRIGGERS_TEXT = `## Triggers

What started a promotion or a build: \`trigger\` in status, history, release.json, the log and \`SLOTS_TRIGGER\`.

| trigger | means |
|---|---|`;

const METRICS = `## Metrics

\`GET /metrics\` on the admin port. Counters are summed over all workers; a worker that restarts takes nothing away. They
start at 0 with the controller. A release is a label's value only while it is kept, so that there are never more than
\`keep\` + 2 of them for a slot. \`class\` is \`1xx\` to \`5xx\`; \`app\` is \`proxy\`, \`watcher\`, \`blue\` or
\`green\`, and \`instance\` a number from 0 on. What begins with \`process_\` or \`nodejs_\` is about the controller itself
(prom-client's defaults). [grafana-dashboard.json](grafana-dashboard.json) shows them.
`;

const PROMETHEUS = `\`\`\`yaml
# prometheus.yml
scrape_configs:
  - job_name: slots
    static_configs:
      - targets: ['127.0.0.1:4320']
\`\`\`

From another machine or container the target's name must be in \`admin.hosts\`, and \`admin.host\` must be an address that it reaches.

Some queries:

| question | PromQL |
|---|---|
| requests per second by status | \`sum by (class) (rate(slots_requests_total[1m]))\` |
| share of errors, release by release | \`sum by (release) (rate(slots_requests_total{class="5xx"}[5m])) / sum by (release) (rate(slots_requests_total[5m]))\` |
| 99th percentile, in seconds | \`histogram_quantile(0.99, sum by (le) (rate(slots_request_latency_seconds_bucket[5m])))\` |
| promotions that failed today | \`increase(slots_promotions_total{outcome="failed"}[1d])\` |
| an alert: the standby is not there | \`min(slots_slot_healthy) == 0 and slots_promotion_running == 0\` |

## Notifications

\`\`\`ts
notify: [
  { url: process.env.SLACK_URL, on: ['failed'], format: 'slack' },
  { url: 'https://example.com/hook' },
],
onPromoted: 'curl -X PURGE https://cdn.example.com/',
onFailed: ['node', 'scripts/page-me.mjs'],
\`\`\`

Each ending of a promotion is posted as JSON to the \`url\`s whose \`on\` names its outcome (\`promoted\`, \`failed\`,
\`rolled-back\`; without \`on\`: all). \`format\` is \`json\` (the entry of \`GET /api/history\` with the \`site\`'s name),
\`slack\` or \`discord\`. An attempt has 10 s; one that fails for a reason that may pass (no connection, 408, 425, 429, 5xx) is
repeated after 1, 4, 16 and 64 s. No promotion waits for any of it. The log says \`notify.sent\` or \`notify.failed\`
with the receiver's host; the rest of a URL is never logged, since it is often a secret.

\`onPromoted\` runs after a promotion or a rollback that succeeded, \`onFailed\` after one that failed: a string in a shell, a list
as it is, in the site's folder, with the site's \`env\` and \`SLOTS_OUTCOME\`, \`SLOTS_RELEASE\` (may be empty),
\`SLOTS_TRIGGER\`, \`SLOTS_STAGE\`, \`SLOTS_ERROR\` (empty when all went well), \`SLOTS_PROMOTION\`, \`SLOTS_SITE\` and
\`SLOTS_SITE_ROOT\`. One at a time, for at most 120 s. What it prints is in \`slots logs watcher\`.

## Deploys by git push

\`\`\`ts
deploy: { git: true, secret: process.env.SLOTS_HOOK_SECRET },   // at least 16 characters
\`\`\`

Set \`https://<your name>/hooks/git\` as a push webhook at the git host, with the same secret. Understood are GitHub's
\`X-Hub-Signature-256\`, Bitbucket's \`X-Hub-Signature\` (SHA-256), the \`X-Forgejo-Signature\`, \`X-Gitea-Signature\` and
\`X-Gogs-Signature\` of these three, and GitLab's \`X-Gitlab-Token\` or its signing token (\`webhook-signature\`). A
reverse proxy must pass that one path on to the admin port, for instance in Caddy:

\`\`\`
handle /hooks/git {
	reverse_proxy 127.0.0.1:4320
}
\`\`\`

What the call says is not read, only who says it: the controller fetches the remote of the branch that is checked out in the
site's folder, moves the files forward to it, and promotes. The answer tells what came of it:

| answer | means |
|---|---|
| 200 \`deployed\` | the files moved from \`from\` to \`to\`, and promotion \`id\` is ordered |
| 200 \`unchanged\` | nothing new on this branch: a push to another one, a tag, a ping |
| 200 \`paused\` | the files moved; edits are paused, so it is promoted by \`slots resume\` |
| 401 | the signature is missing or wrong |
| 409 \`GIT_DIRTY\` | a tracked file is changed in the site's folder: nothing is overwritten |
| 409 \`GIT_DIVERGED\` | not a fast-forward: the branch was rewritten, or this clone has commits of its own |
| 409 \`GIT_NO_LFS\` | a pushed file is in Git LFS, and git-lfs is not set up in the site's clone |
| 409 \`GIT_NO_UPSTREAM\` | the checked-out branch follows no remote branch, or none is checked out |
| 409 \`GIT_FAILED\` | git itself failed; the message is git's |
| 429 | more than 60 genuine calls a minute from one address |

Submodules are checked out as recorded, new ones too, where the clone has its submodules checked out
(\`git clone --recurse-submodules\`); files in Git LFS come with their bytes. Both are fetched before a file moves.

Nothing is ever merged, rebased, reset or stashed. A body may have 5 MiB.

Strangers who reach the address use up nothing of the git host's: a call counts only once its signature has been checked, and
where too many bodies are on their way at a time, the oldest is cut off rather than a new one refused. Callers are told
apart by their address, behind a reverse proxy of \`proxy.trustedProxies\` by its \`X-Forwarded-For\`. The log says \`deploy.git\`, \`deploy.refused\` or
\`deploy.denied\`.
`;
