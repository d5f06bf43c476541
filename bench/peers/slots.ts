/** One worker's data plane, as PM2 would run it, with all that a user has on by default. */
import { proxySchema } from '../../src/config/proxy-schema.ts';
import { createDataPlane } from '../../src/proxy/server.ts';

const { PORT, TLS_PORT, ORIGIN, PROXY, CERT, KEY } = process.env;
const origin = Number(ORIGIN);

function serve(port: number, options: object): void {
  const plane = createDataPlane(proxySchema.parse(options), { blue: origin, green: origin });
  const target = { port: origin, release: 'r20260131T120000-1a2b3c', warm: true };
  plane.assign({ epoch: 1, revision: 1, active: 'blue', slots: { blue: target, green: target } });
  plane.server.listen(port, '127.0.0.1');
}

const options = JSON.parse(PROXY as string);
serve(Number(PORT), options);
if (process.env.WITH_TLS) serve(Number(TLS_PORT), { ...options, tls: { cert: CERT, key: KEY } });
