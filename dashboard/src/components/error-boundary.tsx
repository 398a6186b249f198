// A page that fails to draw takes nothing else along, and says what happened. It is left behind with the next address,
// and tried again when the service is heard again.
import { Component } from "react";
import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { useConnection } from "../live/connection";
import { isPartMissing } from "../lib/lazy-part";
import { Button } from "./parts";

interface Props {
  readonly path: string;
  readonly isLive: boolean;
  readonly children: ReactNode;
}

interface State {
  readonly error: Error | undefined;
}

class Boundary extends Component<Props, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidUpdate(before: Props, { error }: State): void {
    const { path, isLive } = this.props;
    const hasMoved = path !== before.path;
    if (!hasMoved && (isLive === before.isLive || error === undefined)) return;
    if (isLive && isPartMissing()) location.reload();
    else if (error !== undefined) this.setState({ error: undefined });
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

export function ErrorBoundary({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const { state } = useConnection();
  return <Boundary path={path} isLive={state === "live"}>{children}</Boundary>;
}
