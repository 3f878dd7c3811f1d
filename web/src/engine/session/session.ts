// The public face of the session engine.
export * from "./state";
