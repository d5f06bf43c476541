import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ProxyConfig } from '../../config/proxy-schema.ts';
import type { ErrorAnswers } from './error-answer.ts';
import { PlainConnection, type PlainListener, type PlainSetting } from './plain-connection.ts';
import { LONGEST_PLAIN_HEAD } from './plain-request.ts';

/**
 * Reads each new connection's requests as long as they are plain ones; the first other one goes, with all that follows on its
 * connection, to Node's server. Must come before whatever else listens for connections.
 */
export function readPlainRequests(
  server: Server,
  config: ProxyConfig,
  errors: ErrorAnswers,
  listener: PlainListener,
): void {
  const event = 'setSecureContext' in server ? 'secureConnection' : 'connection';
  const ofNode = server.listeners(event) as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners(event);
  const { limits } = config;
  const setting: PlainSetting = {
    listener,
    errors,
    headTimeoutMs: limits.headersTimeoutMs,
    longestHead: Math.min(LONGEST_PLAIN_HEAD, limits.headerBytes),
    keepAliveS: keepAliveSeconds(config),
    handOver(socket) {
      for (const listener of ofNode) listener.call(server, socket);
    },
  };
  server.on(event, (socket: Socket) => {
    const { alpnProtocol } = socket as { alpnProtocol?: string | false };
    if (alpnProtocol && alpnProtocol !== 'http/1.1') setting.handOver(socket);
    else new PlainConnection(socket, setting).begin();
  });
}

/** For `Keep-Alive`. */
export function keepAliveSeconds({ keepAliveTimeoutMs }: ProxyConfig): number {
  return Math.floor(keepAliveTimeoutMs / 1000);
}
