import { type Model, standbyRelease } from '../model.ts';
import type { Session } from '../session.ts';
import type { Question } from './confirm.ts';

const PAUSES =
  'Edits pause, or else the next one would bring the newer content back; “Resume edits” ends that.';

export function askRollback({ status }: Model, session: Session): Question {
  const release = status && standbyRelease(status);
  return {
    title: 'Roll back?',
    text: `Visitors move to ${release}, the warm standby, at once. No request is lost. ${PAUSES}`,
    yes: 'Roll back',
    doing: 'Rolling back …',
    act: () => session.rollback(null),
  };
}

export function askRelease(release: string, { status }: Model, session: Session): Question {
  const isStandby = status !== null && standbyRelease(status) === release;
  const how = isStandby
    ? 'It is the warm standby, so visitors move to it at once.'
    : 'It is started and checked first, which takes a few seconds; then visitors move to it.';
  return {
    title: `Make ${release} live?`,
    text: `${how} No request is lost. ${PAUSES}`,
    yes: 'Make live',
    doing: 'Making it live …',
    act: () => session.rollback(isStandby ? null : release),
  };
}
