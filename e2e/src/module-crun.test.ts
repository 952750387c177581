import { describeModule } from "./support/module/conformance.ts";
import { BACKENDS } from "./support/module/module-place.ts";

describeModule(BACKENDS.crun);
