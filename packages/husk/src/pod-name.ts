import { randomInt } from "node:crypto";

const ADJECTIVES = (
  "able amber apt bold brave brief bright brisk calm civil clear clever cool cosy crisp deft dry eager early fair " +
  "fast fine firm fond fresh glad gold good grand great green hardy keen kind late lean light lively lucky mellow mild neat " +
  "nimble noble odd plain prime proud quick quiet rapid ready rosy safe sharp shy smart snug solid spry stout swift tidy warm wise"
).split(" ");
const NOUNS = (
  "acorn almond apple apricot ash aspen barley bean beech berry birch cedar cherry chestnut clover cocoa corn cumin date elder " +
  "elm fern fig fir flax ginger grape hazel heath holly hop iris ivy juniper kale kiwi larch laurel lemon lentil lilac lime " +
  "linden lotus maize mango maple melon millet mint moss myrtle nutmeg oak oat olive orchid palm peach pear pecan plum poppy " +
  "quince reed rice rose rye sage sedge sorrel spelt thyme tulip vetch walnut wheat willow yarrow yew"
).split(" ");

/** Makes up a name for a pod, easy to read and to type: `brisk-walnut-417`. */
export function makePodName(): string {
  return `${pick(ADJECTIVES)}-${pick(NOUNS)}-${randomInt(1000)}`;
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] as string;
}
