import { plainText } from './plain-text.ts';

/** Every code of a `SlotsError`, by which programs tell errors apart, and what it says. docs/api.md lists them. */
export const ERROR_CODES = {
  ACME_FAILED: 'a certificate could not be ordered; the message has the reason of the CA',
  ALREADY_ACTIVE: 'a rollback to the release that visitors see already',
  ARCHIVE_BAD:
    'the archive of a release is not what was signed, or would write where no release does',
  ARCHIVE_TOO_LARGE:
    'the archive of a release is over the limit, or larger than the room on the disk',
  ARCHIVE_UNFIT: 'a release cannot run on this machine',
  BAD_REQUEST: 'a call of the API that cannot be understood',
  BODY_TOO_LARGE: "a call's body is too large",
  BUILD_CANCELED: 'the build was ended, for instance by a rollback',
  BUILD_EMPTY: 'the build succeeded without writing the entry or anything at all',
  BUILD_FAILED: 'the build command failed',
  BUILD_TIMEOUT: 'the build was still running after `buildTimeoutMs`',
  CHECK_FAILED: "the candidate's health check failed",
  CONFIG_INCOMPLETE: 'a key of the config is missing and its value cannot be detected',
  CONFIG_INVALID: 'a key of the config has a value that it cannot have',
  CONFIG_UNREADABLE: 'the config file or package.json cannot be read or loaded',
  CONTROLLER_RUNS: "the site's controller runs already",
  CONTROLLER_SILENT: 'the controller did not come up',
  CONTROLLER_UNREACHABLE: 'no controller answers',
  DAEMON_NODE_OLD: "the PM2 daemon's Node is too old",
  DOCTOR_PROBLEM: '`slots doctor` found a problem',
  FIRST_RELEASE_FAILED: 'no release is live, since the first one failed',
  FLEET_OTHER_KEY: 'this machine has another key for the group than the invitation',
  FLIP_DIED: 'the candidate stopped answering during the flip',
  FLEET_AWAY: 'NATS cannot be reached, so nothing is done on all machines',
  FLEET_BUILDS_NOT: 'this machine of the fleet never builds (`fleet.build`)',
  FLEET_ID_TAKEN: 'another machine of the fleet has the same `fleet.id`',
  FLEET_NO_RELEASE: "the fleet's store does not have a release",
  FLEET_NOT_PREPARED:
    'a machine of the fleet could not prepare the release, so all stay as they are',
  FLEET_OVERTAKEN: 'another machine of the fleet has taken the lead meanwhile',
  FLEET_UNREACHABLE: 'no NATS server answers, it refuses this machine, or it has no JetStream',
  FORBIDDEN: 'the `Host` or `Origin` of a call is not allowed',
  FRONT_DOWN: 'the front does not run',
  FRONT_SILENT: 'the front does not serve the site',
  GIT_DIRTY: "a tracked file is changed in the site's folder: a push overwrites nothing",
  GIT_DIVERGED:
    'a push is no fast-forward: the branch was rewritten, or this clone has commits of its own',
  GIT_FAILED: "git itself failed; the message is git's",
  GIT_NO_LFS: 'a pushed file is in Git LFS, which is not set up in the clone',
  GIT_NO_UPSTREAM: 'the checked-out branch follows no remote branch, or none is checked out',
  HISTORY_UNREADABLE: 'history.jsonl cannot be read',
  HOST_TAKEN: 'another site that the front serves has this host',
  INTERRUPTED: 'a rollback ended the promotion',
  NAME_TAKEN: 'PM2 runs an app of this name for another site',
  NO_BROWSER: 'there is no browser to open the dashboard in',
  NO_BUILD: 'there is no build of this release, or none at all',
  NO_FLEET: 'the site belongs to no fleet (`fleet` in the config)',
  NO_FRAMEWORK: 'nothing tells how the site is built and started',
  NO_STANDBY: 'there is no standby to roll back to',
  NO_SUCH_CALL: 'the API has no such call',
  NO_TOKEN: 'slots/admin-token cannot be read',
  NO_CERTIFICATES: 'no certificates are ordered for this host, or none at all',
  NOT_UP: 'PM2 runs no app of this site',
  PM2_FOREGROUND: 'PM2 runs in the foreground, as the main process of a container or a unit',
  PM2_UNREACHABLE: 'PM2 failed or did not answer',
  PORT_FORBIDDEN: 'this user may not listen on the port',
  PORT_TAKEN: 'another program has the port',
  PROMOTION_FAILED: 'a promotion that was waited for failed',
  PROXY_SILENT: 'the proxy does not answer visitors',
  RELEASE_DIFFERS: 'this machine has another release of the same id',
  RELEASE_UNKNOWN: 'there is no such release',
  RELEASE_UNPACKABLE:
    'the release has something that other machines could not have, such as a link out of it',
  ROLLBACK_FAILED: 'a rollback failed',
  SIGNATURE_BAD:
    'the signature of a release is wrong or missing, or this machine has no key to verify it',
  SLOT_NOT_A_LINK: "something other than a symlink is in a slot's place",
  SOCKET_TAKEN: "something that cannot be removed is in the control socket's place",
  STACK_OLD: 'what runs is of an older slots, and cannot be replaced without a gap',
  START_CRASHED: 'the candidate crashed at its start',
  START_TIMEOUT: 'the candidate did not listen in time',
  STATE_BAD: 'state.json cannot be read',
  STATE_UNWRITABLE: 'state.json cannot be written',
  TLS_BAD: 'the certificate or its key cannot be read, or does not fit',
  TOO_MANY_CALLS: 'too many calls of the webhook',
  UNAUTHORIZED: 'the token or the signature of a call is missing or wrong',
  UNEXPECTED: 'a bug of slots, or what the system refuses',
  USAGE: 'a command cannot be understood',
  WORKERS_SILENT: 'a proxy worker did not acknowledge the flip',
  WOULD_REPLACE: '`slots init` would replace a file that is there',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * An error that a user can act on. `message` names what was wrong and where; `hint` says what to do.
 * Everything else that is thrown is a bug of ours and keeps its stack trace.
 */
export class SlotsError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'SlotsError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** A controller of another version may answer with a code that this version does not know. */
export function toErrorCode(code: string): ErrorCode {
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'UNEXPECTED';
}

/** In one line, as everything that is shown in `status` has to be. */
export function messageOf(error: unknown): string {
  return plainText(error instanceof Error ? error.message : String(error));
}
