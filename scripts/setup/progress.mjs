const TICK_MS = 100;

/**
 * Does one step of the set-up and shows it: on a terminal a live line with the time so far, elsewhere one
 * line when it is done.
 *
 * @template T
 * @param {string} title what is done, as "building the agent"
 * @param {(onProgress: (text: string) => void) => Promise<T>} work may say what it is at
 * @returns {Promise<T>} what the work gave
 */
export async function runStep(title, work) {
  const started = performance.now();
  const stream = process.stderr;
  const live = stream.isTTY === true;
  let detail = "";

  const secondsSoFar = () => ((performance.now() - started) / 1000).toFixed(1);
  const show = () => {
    const text = `husk: ${title} … ${secondsSoFar()} s${detail === "" ? "" : `  (${detail})`}`;
    stream.write(`\r\x1b[K${text.slice(0, (stream.columns || 80) - 1)}`);
  };
  const ticker = live ? setInterval(show, TICK_MS) : undefined;
  const finish = (/** @type {string} */ mark) => {
    clearInterval(ticker);
    stream.write(`${live ? "\r\x1b[K" : ""}husk: ${title} … ${secondsSoFar()} s${mark}\n`);
  };

  if (live) show();
  try {
    const result = await work((text) => {
      detail = text;
    });
    finish("");
    return result;
  } catch (error) {
    finish(", failed");
    throw error;
  }
}
