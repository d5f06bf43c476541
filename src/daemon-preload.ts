/** Runs inside the PM2 daemon before PM2 itself, where `slots` starts it (src/pm2.ts). */
import { rescueHandOvers } from './hand-over.ts';

// Meant for the daemon; PM2 would put it into the arguments of every forked app.
delete process.env.PM2_NODE_OPTIONS;
rescueHandOvers();
