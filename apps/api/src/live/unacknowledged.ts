import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/** The tables in which Linux lists the unacknowledged data of each connection (proc(5), /proc/net/tcp). */
const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];

/** The number of retransmissions after which a peer counts as lost: one or two seconds of silence on a good network. */
const retransmits = 3;

/**
 * Finds connections whose peer is lost. If a reader loses power or network, the kernel keeps its connection for about
 * 15 minutes with the default of Linux. Node notices only when the kernel's buffer is full, and the heartbeats of a
 * quiet stream never fill it.
 * The kernel knows which data is not acknowledged.
 * @returns the sockets whose peer no longer acknowledges; none if the system is not Linux
 */
export async function unacknowledged(sockets: readonly Socket[]): Promise<Set<Socket>> {
  const silent = new Set<string>();
  for (const table of tables) {
    for (const line of (await readFile(table, 'latin1').catch(() => '')).split('\n').slice(1)) {
      const [, local, remote, , queues, , repeated] = line.trim().split(/\s+/);
      const isWaiting = queues !== undefined && !queues.startsWith('00000000:');
      if (isWaiting && parseInt(repeated!, 16) >= retransmits) silent.add(`${portOf(local!)} ${remote!.slice(-13)}`);
    }
  }
  return new Set(sockets.filter((socket) => silent.has(nameOf(socket))));
}

function portOf(address: string): number {
  return parseInt(address.split(':')[1]!, 16);
}

/**
 * Returns both ports and the last four bytes of the peer's address in the format of the tables, which reverse the bytes
 * of each word.
 */
function nameOf({ localPort, remoteAddress = '::', remotePort = 0 }: Socket): string {
  const [address] = remoteAddress.split('%') as [string];
  // `URL` writes every IPv6 address in groups of hexadecimal digits, also one that ends with an IPv4 address.
  const { hostname } = new URL(`http://[${address.includes(':') ? address : `::${address}`}]`);
  const groups = hostname.slice(1, -1).split(':').slice(-2);
  const bytes = Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex').reverse();
  return `${localPort} ${bytes.toString('hex').toUpperCase()}:${remotePort.toString(16).toUpperCase().padStart(4, '0')}`;
}
