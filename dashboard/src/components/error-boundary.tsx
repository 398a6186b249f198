// A page that fails to draw takes nothing else along, and says what happened.
import { Component } from "react";
import type { ReactNode } from "react";
import { Button } from "./parts";

interface State {
  readonly error: Error | undefined;
}

export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <div role="alert" className="card space-y-3 p-6">
        <h1 className="text-xl font-semibold">This page could not be drawn</h1>
        <p className="text-sm text-soft">{error.message}</p>
        <Button onClick={() => location.reload()}>Load it again</Button>
      </div>
    );
  }
}
