import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

type Value = { stringValue?: string; intValue?: number; doubleValue?: number; boolValue?: boolean };

/** A span in OTLP's JSON. */
export type ReceivedSpan = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Value }[];
  status: { code: number; message?: string };
};

type OtlpRequest = {
  resourceSpans: {
    resource: { attributes: { key: string; value: Value }[] };
    scopeSpans: { spans: ReceivedSpan[] }[];
  }[];
};

export type Collector = {
  endpoint: string;
  spans: ReceivedSpan[];
  requests: { url: string; headers: IncomingHttpHeaders; body: OtlpRequest }[];
  /** Closes the next request's connection instead of answering it. */
  cutNext(): void;
  close(): Promise<void>;
};

/** An OTLP collector on the loopback address that keeps what it receives and answers with this status. */
export async function startCollector(status = 200): Promise<Collector> {
  const collected: Pick<Collector, 'spans' | 'requests'> = { spans: [], requests: [] };
  let cut = false;
  const server = createServer(async (request, response) => {
    if (cut) {
      cut = false;
      request.socket.destroy();
      return;
    }
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text) as OtlpRequest;
    collected.requests.push({ url: request.url ?? '', headers: request.headers, body });
    collected.spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));
    response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...collected,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutNext() {
      cut = true;
    },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

export const attributesOf = ({
  attributes,
}: Pick<ReceivedSpan, 'attributes'>): Record<string, string | number | boolean | undefined> =>
  Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? intValue ?? doubleValue ?? boolValue,
    ]),
  );
