// A script of its own, because the page's policy runs nothing inline.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 4,
  defaultModelRendering: "model",
  displayRequestDuration: true,
  filter: false,
  validatorUrl: null,
});
