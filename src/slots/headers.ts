/** Names the release that answered, on every proxied response and on answers to probes. */
export const RELEASE_HEADER = 'x-slots-release';

/** Marks a request as the controller's probe. The proxy drops it from what visitors send. */
export const PROBE_HEADER = 'x-slots-probe';

/** The process that answered a probe. */
export const PID_HEADER = 'x-slots-pid';

/** On the control socket's answers: the hash of the config that the controller goes by. */
export const CONFIG_HEADER = 'x-slots-config';
