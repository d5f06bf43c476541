/** The owner of the page's model: follows the controller, asks for what no event tells, and gives orders. */
import type { Status } from '../controller/admin/status.ts';
import type { FleetReport } from '../controller/fleet/api.ts';
import type { TrafficPoint } from '../controller/metrics/traffic-ring.ts';
import type { HistoryEntry } from '../slots/history.ts';
import { call, sentenceOf } from './call.ts';
import { type Connection, follow } from './connection.ts';
import { aboutRelease, appendLine, EMPTY_LOG, replaceLines } from './log.ts';
import type { Model, Release } from './model.ts';
import { announcementOf } from './stages.ts';
import { forgetToken, keepToken, takeToken, tokenIn } from './token.ts';
import { toPoint } from './traffic.ts';

/** How long after its end a promotion is in the history and old releases are pruned, in milliseconds. */
const SETTLED_MS = 600;

/** How often the other machines are asked for, as long as the status moves, in milliseconds. */
const FLEET_LOOK_MS = 2000;

export interface Session {
  /** Takes the token from the address or from this tab, and connects; once more after another was given. */
  begin(): void;
  useToken(given: string): void;
  retry(): void;
  /** An order whose failure is told in the page's notice. */
  order(path: string): Promise<void>;
  /** @param release `null` for the standby. @throws CallError */
  rollback(release: string | null): Promise<void>;
  dismissNotice(): void;
}

/** @param onChange draws the page */
export function createSession(onChange: (model: Model) => void): Session {
  let model: Model = {
    link: 'connecting',
    gate: null,
    status: null,
    seenAt: 0,
    releases: [],
    history: [],
    traffic: [],
    fleet: null,
    log: EMPTY_LOG,
    announcement: '',
    notice: null,
  };
  let connection: Connection | null = null;
  let token = '';
  let fleetAskedAt = 0;

  const set = (change: Partial<Model>) => {
    model = { ...model, ...change };
    onChange(model);
  };
  /** The API's answer, or `null` without one: the next look asks again. */
  const ask = <Answer>(path: string) => call<Answer>(token, 'GET', path).catch(() => null);

  const onStatus = (status: Status) => {
    const before = model.status;
    const { promotion, last } = status;
    // For an instant a promotion has no release yet: the log stays as it is.
    const { release = null } = promotion ?? last ?? {};
    const { log, isBehind } = aboutRelease(model.log, release, promotion?.stage === 'build');
    const isNews = before !== null && announcementOf(before) !== announcementOf(status);
    set({
      status,
      log,
      gate: null,
      seenAt: Date.now(),
      ...(isNews && { announcement: announcementOf(status) }),
    });
    if (isBehind && release !== null) void refreshLog(release);
    if (status.fleet && Date.now() - fleetAskedAt > FLEET_LOOK_MS) void refreshFleet();
    if (before && before.last?.id !== last?.id) {
      void refreshLists();
      setTimeout(refreshLists, SETTLED_MS);
    }
  };

  const refreshLists = async () => {
    const [releases, history] = await Promise.all([
      ask<Release[]>('/api/releases'),
      ask<HistoryEntry[]>('/api/history'),
    ]);
    set({ ...(releases && { releases }), ...(history && { history }) });
  };

  const refreshTraffic = async () => {
    const answer = await ask<{ points: TrafficPoint[] }>('/api/traffic');
    if (answer) set({ traffic: answer.points.map(toPoint) });
  };

  const refreshFleet = async () => {
    fleetAskedAt = Date.now();
    const fleet = await ask<FleetReport>('/api/fleet');
    if (fleet) set({ fleet });
  };

  const refreshLog = async (release: string) => {
    // Of a build that failed there is no release: its log is the newest one.
    const { last, promotion } = model.status ?? {};
    const isNewest = promotion?.release === release || (!promotion && last?.stage === 'build');
    const path = isNewest ? '/api/build-log' : `/api/build-log?release=${release}`;
    const text = await ask<string>(path);
    if (text !== null) set({ log: replaceLines(model.log, release, text) });
  };

  const refresh = () => {
    void refreshLists();
    void refreshTraffic();
    if (model.status?.fleet) void refreshFleet();
  };

  const refuse = (why: string) => {
    connection?.end();
    set({ link: 'none', gate: why });
  };

  const begin = () => {
    connection?.end();
    token = takeToken() ?? '';
    if (token === '') return refuse('Without one, nobody can see or change anything here.');
    set({ link: 'connecting' });
    connection = follow(token, {
      onStatus,
      onBuildLine: (line) => set({ log: appendLine(model.log, line) }),
      onOpen() {
        set({ link: 'live' });
        refresh();
      },
      onLook: refresh,
      onLost: () => set({ link: 'lost' }),
      onRefused(error) {
        const isUnknown = error.status === 401;
        if (isUnknown) forgetToken();
        refuse(
          isUnknown
            ? 'That token was not accepted. It may be of another site, or an old one.'
            : [error.message, error.hint].filter(Boolean).join('; '),
        );
      },
    });
  };

  return {
    begin,
    useToken(given) {
      keepToken(tokenIn(given) ?? given);
      begin();
    },
    retry: () => connection?.retry(),
    async order(path) {
      set({ notice: null });
      await call(token, 'POST', path).catch((error) => set({ notice: sentenceOf(error) }));
    },
    async rollback(release) {
      await call(token, 'POST', '/api/rollback', { release });
    },
    dismissNotice: () => set({ notice: null }),
  };
}
