// The first page: which of the others there are for this study.

import { begin, sayingErrors } from "./page.js";

await sayingErrors(async () => {
  const { study } = await begin();
  document.querySelector("#go-mood").hidden = !study.camera;
  document.documentElement.dataset.ready = "yes";
});
