/** Prometheus's text format, as far as gauges and counters need it. */

/** How a figure changes: up and down, or only up. */
type MetricType = "gauge" | "counter";

/** One figure of a metric. */
export interface Sample {
  /** label names and values, in the order in which they are written */
  labels: readonly (readonly [name: string, value: string])[];
  value: number;
}

/** Figures of one kind. */
export interface Metric {
  name: string;
  help: string;
  type: MetricType;
  samples: readonly Sample[];
}

/** A metric of one figure for each item. */
export function itemMetric(
  metric: Omit<Metric, "samples">,
  items: Iterable<readonly [item: string, value: number]>,
): Metric {
  const samples = [...items].map(([item, value]) => ({ labels: [["item", item]] as const, value }));
  return { ...metric, samples };
}

/** A metric of one figure. */
export function plainMetric(metric: Omit<Metric, "samples">, value: number): Metric {
  return { ...metric, samples: [{ labels: [], value }] };
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function writeSample(name: string, { labels, value }: Sample): string {
  const pairs = labels.map(([label, text]) => `${label}="${escapeLabel(text)}"`).join(",");
  return `${name}${pairs === "" ? "" : `{${pairs}}`} ${value}\n`;
}

/** The metrics as Prometheus reads them; one without figures is left out. */
export function writeMetrics(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) => {
      const lines = samples.map((sample) => writeSample(name, sample)).join("");
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines}`;
    })
    .join("");
}
