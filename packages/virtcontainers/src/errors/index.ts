export { ERROR_CATALOGUE, type ErrorCode, type ErrorEntry } from "./catalogue.ts";
export { HuskError, isHuskError, messageOf, systemCode } from "./husk-error.ts";
export { renderErrorCatalogue } from "./render-catalogue.ts";
