// Addresses to pages. Each page but the first is fetched when it is first opened.
import { Suspense } from "react";
import { Link, Route, Switch } from "wouter";
import { ErrorBoundary } from "./components/error-boundary";
import { Empty, Skeleton } from "./components/parts";
import { Shell } from "./components/shell";
import { useTitle } from "./lib/hooks";
import { lazyPart } from "./lib/lazy-part";
import Overview from "./pages/overview";

function Waiting() {
  return (
    <div role="status" aria-label="Loading" className="space-y-4">
      <Skeleton className="h-10 w-64" />
      <Skeleton className="h-72 rounded-2xl" />
    </div>
  );
}

function NoPage() {
  useTitle("No such page");
  return (
    <Empty title="There is no such page">
      <Link href="/" className="text-accent underline">
        Back to the overview
      </Link>
    </Empty>
  );
}

export function App() {
  return (
    <Shell>
      <ErrorBoundary>
        <Suspense fallback={<Waiting />}>
          <Switch>
            <Route path="/" component={Overview} />
            {PAGES.map(([path, Page]) => (
              <Route key={path} path={path} component={Page} />
            ))}
            <Route component={NoPage} />
          </Switch>
        </Suspense>
      </ErrorBoundary>
    </Shell>
  );
}

const PAGES = [
  ["/insights/:id", lazyPart(() => import("./pages/insight"))],
  ["/correlations", lazyPart(() => import("./pages/correlations"))],
  ["/patterns", lazyPart(() => import("./pages/patterns"))],
  ["/system/*?", lazyPart(() => import("./pages/system"))],
  ["/trends", lazyPart(() => import("./pages/trends"))],
  ["/settings/*?", lazyPart(() => import("./pages/settings"))],
] as const;
