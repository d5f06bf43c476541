/** Names the release that answered, on every proxied response and on answers to probes. */
export const RELEASE_HEADER = 'x-slots-release';

/** Marks a request as the controller's probe. The proxy drops it from what visitors send. */
export const PROBE_HEADER = 'x-slots-probe';

/** The process that answered a probe. */
export const PID_HEADER = 'x-slots-pid';

/** Of an answer: what it says to the release cache alone. No visitor gets them. */
export const CACHE_CONTROL_HEADER = 'slots-cache-control';
export const CACHE_TAG_HEADER = 'slots-cache-tag';

/** On the control socket's answers: the hash of the config that the controller goes by. */
export const CONFIG_HEADER = 'x-slots-config';
