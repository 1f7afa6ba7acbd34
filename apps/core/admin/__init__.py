"""The ground every admin page stands on: whose rows a person sees, and what they may do with them."""
