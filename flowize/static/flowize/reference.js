/* Shows the OpenAPI document. Nothing leaves this installation: no validator is asked, no key is kept. */

(() => {
  const place = document.getElementById("reference");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  follow();
  dark.addEventListener("change", follow);

  window.SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    validatorUrl: null,
    persistAuthorization: false,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
  });
})();
