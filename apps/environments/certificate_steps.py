"""Bringing a certificate into force, and taking one out of it."""

from apps.environments.job_steps import Step, StepContext


def install(context: StepContext) -> str:
    """Have the driver serve the new certificate, or none; the old one serves until then."""
    change = context.job.parameters.get("certificate")
    if change == "install":
        waiting = context.environment.certificates.get(live=False)
        context.provisioner.install_certificate(context.environment, waiting)
        return "The new certificate is served."
    if change == "remove":
        context.provisioner.remove_certificate(context.environment)
        return "No certificate is served."
    return "Nothing to do."


def settle(context: StepContext) -> str:
    """The new certificate takes the place of the old one."""
    certificates = context.environment.certificates
    if context.job.parameters.get("certificate"):
        certificates.filter(live=True).delete()
        certificates.update(live=True)
    return "Noted."


STEPS = (Step("certificate", install, atomic=False), Step("settle", settle))
