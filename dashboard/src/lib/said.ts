// What the service says, in the reader's units.
import { useCallback } from "react";
import { usePreferences } from "./preferences";
import { inUnits } from "./units";

/** The words of a sentence for this reader. */
export function useSaid(): (text: string) => string {
  const wanted = usePreferences();
  return useCallback((text) => inUnits(text, wanted), [wanted]);
}
