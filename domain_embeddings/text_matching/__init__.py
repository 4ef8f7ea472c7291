"""When two texts say the same: near-copies, near-equal questions, and the forms that they are compared in."""
