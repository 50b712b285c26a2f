import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ExpressAdapter } from '@nestjs/platform-express';
import { normalizeIp } from '@nestjs/throttler';
import { uploadLimits } from '../bodies/body-limits';
import type { Settings } from '@app/configuration';

/** Docs/operations.md names these; "Behind a proxy" says why. */
const serverTimes = {
  /** Above the 60 s after which nginx and load balancers close: the side that opened a connection has to close it. */
  keepAliveTimeout: 75_000,
  /** From the first byte of a request, or from the connection's begin, to the end of the headers. */
  headersTimeout: 10_000,
  /** The last resort: each body has its own, shorter time. */
  requestTimeout: uploadLimits.wholeMs + 10_000,
  connectionsCheckingInterval: 1_000,
};

/** Connections beside those of event streams. */
const connectionsBesideStreams = 5_000;

/** Connections of one address on which no request with a key has come yet. */
const strangersPerAddress = 2_000;

/** What a connection is counted as until a request on it has a known caller. */
const strangers = new WeakMap<Socket, () => void>();

/** A request with a known caller has come by this connection. */
export function isNoStranger({ socket }: IncomingMessage): void {
  strangers.get(socket)?.();
}

/** Nest's Express with a server whose times and connections are limited. */
export class ApiServer extends ExpressAdapter {
  constructor(private readonly settings: Pick<Settings, 'STREAMS_PER_PROCESS' | 'TRUST_PROXY'>) {
    super();
  }

  override initHttpServer(): void {
    const server = createServer(serverTimes, this.getInstance<RequestListener>());
    server.maxConnections = this.settings.STREAMS_PER_PROCESS + connectionsBesideStreams;
    // Node answers "Expect: 100-continue" before the request is looked at; here the reader of the body answers it.
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      server.emit('request', request, response),
    );
    // Behind a proxy all connections are the proxy's.
    if (this.settings.TRUST_PROXY === false) server.on('connection', limitStrangers());
    this.httpServer = server;
  }
}

/**
 * Where an address has too many, its oldest gives way to the newest. A refused newcomer could have brought a right key;
 * a connection that has been open for longer has had the time to bring one.
 */
function limitStrangers(): (socket: Socket) => void {
  const open = new Map<string, Set<Socket>>();
  return (socket) => {
    const address = normalizeIp(socket.remoteAddress ?? '');
    const sockets = open.get(address) ?? new Set();
    open.set(address, sockets.add(socket));
    const leave = (): void => {
      strangers.delete(socket);
      sockets.delete(socket);
      if (sockets.size === 0 && open.get(address) === sockets) open.delete(address);
    };
    strangers.set(socket, leave);
    socket.once('close', leave);
    if (sockets.size <= strangersPerAddress) return;
    const [oldest] = sockets;
    strangers.get(oldest!)!();
    oldest!.destroy();
  };
}
