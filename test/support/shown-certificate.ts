import { connect } from 'node:tls';

/** What a visitor of this host is shown, whoever vouches for it; rejects where the handshake fails. */
export function shownCertificate(
  port: number,
  servername: string,
  protocols = ['http/1.1'],
): Promise<{
  /** The issuer's common name. */
  issuer: string;
  names: string;
}> {
  return new Promise((resolve, reject) => {
    const asked = { servername, ALPNProtocols: protocols, rejectUnauthorized: false };
    const socket = connect({ host: '127.0.0.1', port, ...asked }, () => {
      const { issuer, subjectaltname } = socket.getPeerCertificate();
      socket.destroy();
      resolve({ issuer: String(issuer.CN), names: String(subjectaltname) });
    });
    socket.on('error', reject);
  });
}
