"""The insides of the built-in point tracker."""
