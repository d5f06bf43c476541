/** One worker's data plane, as PM2 would run it, with all that a user has on by default. */
import { proxySchema } from '../../src/config/proxy-schema.ts';
import { createDataPlane, type DataPlane } from '../../src/proxy/server.ts';
import type { Slot } from '../../src/slots/slot.ts';

const { PORT, TLS_PORT, ORIGIN, OTHER, PROXY, CERT, KEY } = process.env;
const ports = { blue: Number(ORIGIN), green: Number(OTHER ?? ORIGIN) };
let epoch = 0;

function serve(port: number, options: object): DataPlane {
  const plane = createDataPlane(proxySchema.parse(options), ports);
  assign(plane, 'blue');
  plane.server.listen(port, '127.0.0.1');
  return plane;
}

function assign(plane: DataPlane, active: Slot): void {
  epoch++;
  const release = 'r20260131T120000-1a2b3c';
  const blue = { port: ports.blue, release, warm: true };
  const green = { port: ports.green, release, warm: true };
  plane.assign({ epoch, revision: epoch, active, slots: { blue, green } });
}

const options = JSON.parse(PROXY as string);
const plane = serve(Number(PORT), options);
if (process.env.WITH_TLS) serve(Number(TLS_PORT), { ...options, tls: { cert: CERT, key: KEY } });

process.on('message', (message: { memory?: true; assign?: Slot; cut?: Slot }) => {
  if (message.assign) assign(plane, message.assign);
  if (message.cut) plane.cut(message.cut);
  if (!message.memory) return;
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ rss, heapUsed, external });
});

// So that `node --cpu-prof` writes its profile.
process.once('SIGTERM', () => process.exit(0));
