/**
 * Expressions that need not return anything in a mesh that is well, each with its reason. They must parse all the same,
 * and what they ask for must be there by name. The expression of an alert is empty as long as nothing is wrong, so
 * alerts are all among them. Whatever else is empty is a fault.
 */
export const mayBeEmpty: readonly { readonly expr: RegExp; readonly reason: string }[] = [];

/** Series that a mesh which is well need not have, each with its reason; whoever asks for them may be answered nothing. */
export const mayBeAbsent: Readonly<Record<string, string>> = {};
