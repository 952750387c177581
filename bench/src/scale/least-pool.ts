/** The least pool with which a share `aim` of requests finds a VM ready, by trying; a larger pool never does worse. */
export function findLeastPool(hitsWith: (pool: number) => number, aim: number): number {
  let enough = 1;
  while (hitsWith(enough) < aim) enough *= 2;
  let least = 0;
  while (least < enough) {
    const middle = Math.floor((least + enough) / 2);
    if (hitsWith(middle) >= aim) enough = middle;
    else least = middle + 1;
  }
  return least;
}
