import type { Job } from '../api/jobs';
import { useText } from '../text/language';
import { useTime } from '../text/time';

interface Report {
  readonly file: { readonly url: string; readonly bytes: number };
  readonly rows: number;
}

interface Variant {
  readonly name: string;
  readonly url: string;
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly bytes: number;
}

/** The result of a job: links to its files, and the complete result as JSON. */
export function JobResult({ job }: { job: Job }) {
  const text = useText();
  if (job.result === null || job.result === undefined) return null;
  const { file, rows, variants } = job.result as Partial<Report> & { variants?: readonly Variant[] };
  return (
    <section className="card" aria-labelledby="result">
      <h2 id="result">{text.job.result}</h2>
      {file && rows !== undefined && <ReportFile file={file} rows={rows} />}
      {variants && <Pictures variants={variants} />}
      <pre className="json" tabIndex={0} aria-label={text.job.result}>
        {JSON.stringify(job.result, null, 2)}
      </pre>
    </section>
  );
}

function ReportFile({ file, rows }: Report) {
  const text = useText();
  const kilobytes = useKilobytes();
  return (
    <p className="files">
      <span>
        <a href={file.url}>{text.job.download}</a>{' '}
        <span className="quiet">
          {kilobytes(file.bytes)}, {text.job.rows(rows)}
        </span>
      </span>
    </p>
  );
}

/** Shows one image for each size, with a link to each format. */
function Pictures({ variants }: { variants: readonly Variant[] }) {
  const kilobytes = useKilobytes();
  const sizes = [...new Set(variants.map(({ name }) => name))];
  return (
    <ul className="pictures">
      {sizes.map((size) => {
        const formats = variants.filter(({ name }) => name === size);
        const shown = formats.find(({ format }) => format === 'webp') ?? formats[0]!;
        return (
          <li key={size}>
            <img src={shown.url} width={shown.width} height={shown.height} alt="" loading="lazy" />
            <strong>{size}</strong>
            <span className="quiet">
              {shown.width} × {shown.height}
            </span>
            {formats.map(({ format, url, bytes }) => (
              <span key={format}>
                <a href={url}>
                  {format}
                  <span className="visually-hidden"> {size}</span>
                </a>{' '}
                <span className="quiet">{kilobytes(bytes)}</span>
              </span>
            ))}
          </li>
        );
      })}
    </ul>
  );
}

function useKilobytes(): (bytes: number) => string {
  const { number } = useTime();
  return (bytes) => `${number(bytes / 1_000)} kB`;
}
