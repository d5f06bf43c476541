import type { NotifyTarget } from '../../config/admin-schema.ts';
import type { HistoryEntry } from '../../slots/history.ts';

/** The end of a promotion or a rollback, as others are told of it. */
export interface Ending extends HistoryEntry {
  /** The site's name. */
  site: string;
}

/** A certificate that could not be ordered in time, as others are told of it. */
export interface CertificateNotice {
  site: string;
  outcome: 'certificate';
  /** The certificate's serial number; `none` before the first. */
  id: string;
  host: string;
  /** When it ends, ISO 8601; `null` before the first. */
  notAfter: string | null;
  error: string;
  hint: string | null;
}

export type Notice = Ending | CertificateNotice;

/** A build's error may be a screenful; Discord takes 2000 characters in all. */
const MAX_ERROR_CHARS = 600;

/** The body of a notification, in the shape that its receiver takes. */
export function toBody(format: NotifyTarget['format'], ending: Notice): unknown {
  switch (format) {
    case 'json':
      return ending;
    case 'slack':
      // Slack's own markup begins with these; a commit's name or a stack trace must not ping a channel.
      return { text: escapeSlack(sentence(ending)) };
    case 'discord':
      return { content: sentence(ending), allowed_mentions: { parse: [] } };
  }
}

/** One line for a person. */
export function sentence(notice: Notice): string {
  return notice.outcome === 'certificate' ? ofCertificate(notice) : ofEnding(notice);
}

function ofCertificate({ site, host, notAfter, error, hint }: CertificateNotice): string {
  const until =
    notAfter === null ? 'has no certificate yet' : `has a certificate until ${notAfter}`;
  return `${site}: ${host} ${until}, and the order of the next one failed${complaint(hint ? `${error}: ${hint}` : error)}`;
}

function ofEnding({ site, outcome, release, trigger, stage, error, durationsMs }: Ending): string {
  const seconds = Object.values(durationsMs).reduce((sum, ms) => sum + ms, 0) / 1000;
  const what = release ?? 'a build';
  switch (outcome) {
    case 'promoted':
      return `${site}: ${what} is live (${trigger}, ${seconds.toFixed(1)} s)${complaint(error)}`;
    case 'rolled-back':
      return `${site}: rolled back to ${what}; edits are paused until \`slots resume\`${complaint(error)}`;
    case 'failed':
      return `${site}: ${what} failed in ${stage} (${trigger}); visitors see what they saw before${complaint(error)}`;
  }
}

function complaint(error: string | null): string {
  return error === null ? '' : `\n${error.slice(0, MAX_ERROR_CHARS)}`;
}

function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
