/**
 * `node:http`, not by `import`: that reads all that it exports, and with `WebSocket` has Node load undici, which takes 50 ms and
 * 14 MB of a process whose site may never import it so (ran, Node 24.21).
 */
export const http = process.getBuiltinModule('node:http');
