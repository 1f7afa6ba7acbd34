"""People, and the rows of an organization's page that say who belongs to it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts.models import Membership, Role, User, Workspace
from apps.core.admin.tenancy import SuperuserModelAdmin, TenantTabularInline


@admin.register(User)
class UserAdmin(SuperuserModelAdmin, BaseUserAdmin):
    """People who sign in; what they may do is said by the organizations they are members of."""

    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    readonly_fields = ("last_login", "date_joined")
    view_on_site = False
    add_fieldsets = BaseUserAdmin.add_fieldsets
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        (
            "Rights",
            {
                "fields": ("is_active", "is_staff", "is_superuser"),
                "description": "Staff may sign in here. Superusers run the installation and see every organization; "
                "everybody else sees the organizations they are members of.",
            },
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """People are added here in order to sign in here."""
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)


class MembershipForm(forms.ModelForm):
    """A member by user name: a list to choose from would show everybody of the installation."""

    username = forms.CharField(
        max_length=150, widget=UnfoldAdminTextInputWidget(), help_text="The exact user name of somebody who signs in."
    )

    class Meta:
        model = Membership
        fields = ("role",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["username"].initial = self.instance.user.username
            self.fields["username"].disabled = True

    def clean_username(self) -> str:
        """The name of a person who is no member yet."""
        name: str = self.cleaned_data["username"]
        if self.instance.pk is None:
            user = User.objects.filter(username=name, is_active=True).first()
            if user is None:
                raise ValidationError("Nobody has this user name.")
            if Membership.objects.filter(organization_id=self.instance.organization_id, user=user).exists():
                raise ValidationError("This person is a member already.")
            self.instance.user = user
        return name


class MembershipFormSet(BaseInlineFormSet):
    """The members of one organization, of whom one must be its owner."""

    def clean(self) -> None:
        """Nobody twice, and never without an owner."""
        super().clean()
        kept = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        names = [form.cleaned_data.get("username") for form in kept]
        if len(names) != len(set(names)):
            raise ValidationError("A person can be a member once.")
        had_owner = any(form.initial.get("role") == Role.OWNER for form in self.initial_forms)
        if had_owner and not any(form.cleaned_data.get("role") == Role.OWNER for form in kept):
            raise ValidationError("An organization keeps at least one owner.")


class MembershipInline(TenantTabularInline):
    """The members of an organization, for its owners."""

    model = Membership
    form, formset = MembershipForm, MembershipFormSet
    fields = ("username", "role")
    verbose_name, verbose_name_plural = "member", "members"
    hide_title = True
    organization_path = "organization"
    least_role = {"view": "owner", "add": "owner", "change": "owner", "delete": "owner"}

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the people, in order of their names."""
        return super().get_queryset(request).select_related("user").order_by("user__username")


class WorkspaceInline(TenantTabularInline):
    """The copies of a project's content; they come with the project and its environments."""

    model = Workspace
    fields = readonly_fields = ("copy", "time_zone")
    organization_path = "project__organization"
    least_role = {"view": "viewer"}
    can_delete = False
    hide_title = True

    @admin.display(description="serves")
    def copy(self, workspace: Workspace) -> str:
        """The host it is served at."""
        return workspace.api_host or "This installation (Designer)"
