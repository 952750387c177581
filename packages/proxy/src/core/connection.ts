export { Connection } from "@husk/tiny";
