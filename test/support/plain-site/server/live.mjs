import { WebSocketServer } from 'ws';

const sockets = new WebSocketServer({ noServer: true });

/** The WebSocket at /live: a pong for each `{"type":"ping"}`, everything else comes back as it is. */
export function upgrade(request, socket, head) {
  socket.on('error', () => socket.destroy());
  if (request.url.split('?')[0] === '/live') {
    sockets.handleUpgrade(request, socket, head, welcome);
  } else {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  }
}

function welcome(client) {
  client.on('error', () => client.terminate());
  client.on('message', (data, isBinary) => {
    const isPing = !isBinary && String(data) === '{"type":"ping"}';
    client.send(isPing ? '{"type":"pong"}' : data, { binary: isBinary });
  });
}
